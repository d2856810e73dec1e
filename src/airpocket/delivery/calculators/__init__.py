"""The models' closed forms one by one: named functions of plain numbers, for users and for checking."""
