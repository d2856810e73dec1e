"""Running a world: its file, its making from a seed, its clock, what it says, and the truth behind it."""
