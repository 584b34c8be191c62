"""One screen a file: `show()` asks for what it needs, waits if it must, and draws."""

from __future__ import annotations

from allocator.texts import Text
from ui.screens import building, explaining, exporting, nation, scenarios, territoire, trading

SCREENS = (
    (territoire.show, Text("Mon territoire", "My territory"), "territoire", ":material/location_on:"),
    (nation.show, Text("La France entière", "The whole of France"), "france", ":material/map:"),
    (building.show, Text("Construire", "Build"), "construire", ":material/tune:"),
    (explaining.show, Text("Expliquer", "Explain"), "expliquer", ":material/help:"),
    (trading.show, Text("Arbitrer", "Trade off"), "arbitrer", ":material/balance:"),
    (exporting.show, Text("Exporter", "Export"), "exporter", ":material/download:"),
    (scenarios.show, Text("Scénarios et preuves", "Scenarios and proofs"), "scenarios", ":material/verified:"),
)
"""What shows it, its title, its address, its icon; the first is where visitors arrive."""
