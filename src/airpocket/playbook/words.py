"""How plans write moments in their sentences."""

from airpocket.domain.units import format_time


def moment(time: int) -> str:
    """Nanoseconds → '2025-10-10 20:00 UTC'."""
    text = format_time(time)
    return f"{text[:10]} {text[11:16]} UTC"
