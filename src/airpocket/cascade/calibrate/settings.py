"""How the cascade's figures are measured: windows, least evidence, and how far a figure speaks for a cascade."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """Intervals are 10 to 90 %, by `draws` bootstrap draws of blocks.

    steps_s: lengths of the bars that λ is taken on; recovery_step_s: of those that κ is. A block is block_s long,
    and holds block_bars at least; fewer than least_blocks or least_bars give no figure. huber_sd: residuals beyond
    this many robust standard deviations weigh less, but no more than huber_share of them. shortest_half to
    longest_half, in bars: the half-lives tried. propagator_step_s: bars that the lasting share is taken on where no
    half-life is told, and usual_half_s what it is then taken to be. large: the share of bars whose flow counts as
    large. doubt: a figure of ordinary minutes is doubted by this much in logarithms when it speaks for a cascade,
    a share by share_doubt. least_events: fewer leave a prior as it is.

    They were settled on simulated series and worlds. Two were changed once recorded data had been seen, because
    they left nothing to tell: burst_sd (4 left 18 forced bursts of Bitcoin), and blocks (20 bars each at first).
    """

    steps_s: tuple[float, ...] = (1.0, 5.0, 10.0, 30.0, 60.0)
    recovery_step_s: float = 1.0
    block_s: float = 30.0
    block_bars: int = 5
    recovery_block_s: float = 60.0
    least_blocks: int = 8
    least_bars: int = 60
    draws: int = 1_000
    seed: int = 20_261_126
    huber_sd: float = 2.5
    huber_share: float = 0.01
    shortest_half: float = 0.7  # bars
    longest_half: float = 600.0  # bars, and never more than a sixth of what was heard
    halves: int = 40
    propagator_step_s: float = 10.0
    usual_half_s: float = 10.0  # the centre of the prior
    large: float = 0.05
    marks_s: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)  # of the event study
    # depth near the touch after trades have eaten it
    shock: float = 0.2
    eaten: float = 0.5
    usual_s: float = 60.0
    horizon_s: float = 60.0
    least_shocks: int = 8
    # pull-back and hours of the week
    band_percent: float = 1.0
    average_s: float = 300.0
    usual_move_s: float = 14_400.0
    effect_h: float = 6.0  # levels of depth are compared within so many hours only
    least_days: int = 5
    least_weeks: int = 3
    # forced bursts
    burst_sd: float = 3.0  # move of a burst over what is usual for its length
    interest_drop: float = 0.02  # of open interest; half of it where only means of hours are told
    retrace_h: tuple[float, ...] = (0.25, 1.0, 4.0, 24.0)
    least_bursts: int = 20
    # what a figure is worth in a cascade
    doubt: float = 0.693  # a factor of two
    share_doubt: float = 0.15
    least_events: int = 30

    def __post_init__(self) -> None:
        if min(self.steps_s, default=0.0) <= 0.0 or self.recovery_step_s <= 0.0:
            raise ValueError("bars must have a length")
        if self.draws < 20 or self.least_blocks < 2:
            raise ValueError("20 draws and two blocks at least, else there is no interval")
