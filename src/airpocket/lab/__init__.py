"""A simulated market that stands in for a real one: the demo's data, with the positions behind it known."""

from airpocket.lab.bundle import bundled_tables
from airpocket.lab.generator import generate, true_positions
from airpocket.lab.scenario import SEED
from airpocket.lab.tables import BundledTable
from airpocket.lab.world import World, simulate

__all__ = [
    "SEED",
    "BundledTable",
    "World",
    "bundled_tables",
    "generate",
    "simulate",
    "true_positions",
]
