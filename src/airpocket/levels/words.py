"""How the roadmap writes prices in its sentences."""


def price_text(price: float) -> str:
    """A price with as many digits as matter.

    >>> price_text(2487.3127), price_text(0.15340), price_text(95000.0)
    ('2,487.31', '0.1534', '95,000')
    """
    return f"{price:,.6g}"
