"""The server's health as Prometheus text; needs the extra [metrics]."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from airpocket.delivery.serve.models import ServerHealth


def text(health: ServerHealth) -> bytes:
    """Gauges by name; what is unknown has no sample."""
    registry = CollectorRegistry()
    _gauge(registry, "airpocket_websocket_clients", "Websockets open.", float(health.clients))
    if health.age_s is not None:
        _gauge(
            registry, "airpocket_edition_age_seconds", "Age of the edition served.", health.age_s
        )
    _gauge(
        registry,
        "airpocket_stale",
        "1 where health says why not to trust the figures.",
        float(health.stale is not None),
    )
    _gauge(
        registry, "airpocket_simulated", "1 where the market is invented.", float(health.simulated)
    )
    _gauge(registry, "airpocket_alarms", "Alarms of the recorder.", float(len(health.alarms)))
    up = Gauge("airpocket_process_up", "1 while a process runs.", ["process"], registry=registry)
    restarts = Gauge(
        "airpocket_process_restarts", "Times started anew.", ["process"], registry=registry
    )
    for process in health.processes:
        up.labels(process.name).set(float(process.state == "running"))
        restarts.labels(process.name).set(float(process.restarts))
    age = Gauge(
        "airpocket_feed_age_seconds",
        "Since a channel was heard.",
        ["venue", "symbol", "channel"],
        registry=registry,
    )
    for feed in health.feeds:
        if feed.age_s is not None:
            age.labels(feed.venue, feed.symbol, feed.channel).set(feed.age_s)
    return generate_latest(registry)


def _gauge(registry: CollectorRegistry, name: str, about: str, value: float) -> None:
    Gauge(name, about, registry=registry).set(value)
