"""Le fonds friches, rétrospectivement : ce qui a été retenu, ce que les hectares seuls auraient choisi, et entre les deux.

    python examples/backtest_friches.py fr_g_fdfriche_r.csv

Le fichier du Cerema ne contient aucune subvention : seulement le DÉFICIT de chaque opération. On répartit donc le même
total de déficits couverts que celui des opérations retenues, par opérations entières, en maximisant les hectares de friches.
Région par région, l'enveloppe de chaque région est ce que ses opérations retenues ont pris. Chaque critère ajouté se voit
dans le fichier, et garde dans chaque région ce que les opérations retenues y ont eu : elles les respectent donc tous. Ce qu'il
reste d'hectares au-dessus d'elles, ces critères ne l'expliquent pas.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import allocator
from allocator.importers import fonds_friches
from allocator.importers.report import grouped
from allocator.importers.writing import write

KEPT = Fraction(95, 100)  # of what a group of funded applications took, where a criterion keeps groups
GAP = 3e-6  # of the hectares
SECONDS = 1.0  # for a region's plan, 30 for all of France; what is not proved by then shows in the bound
Rules = list[dict[str, Any]]
Criterion = Callable[["Applications"], Rules]


@dataclass(frozen=True)
class Choice:
    """One line of the table: applications chosen (n,) bool and what they hold; cents, hectares exact.

    `bound`: hectares that no choice of the kind exceeds, None for what happened; `certified`: by every plan behind it.
    """

    label: str
    chosen: np.ndarray
    cents: int
    hectares: Fraction
    bound: Fraction | None = None
    certified: bool = False


class Applications:
    """Applications (all, or a region's), and what the funded ones among them took."""

    def __init__(self, scenario: allocator.Scenario) -> None:
        self.table = scenario.demands
        self.cents = scenario.cents("asked")
        self.hectares, self.scale = scenario.decimals("hectares")
        self.funded = self.table["laureat"].to_numpy(bool)
        fund = {"id": "deficits-couverts", "amount": euros(self.cents[self.funded].sum())}
        self.scenario = scenario.with_(funds=[fund], constraints=[])

    def regions(self) -> Iterator[tuple[np.ndarray, Applications]]:
        """(members (n,) bool, the region's own applications)."""
        for region in sorted(set(self.table["territory"])):
            inside = (self.table["territory"] == region).to_numpy()
            yield inside, Applications(self.scenario.with_(demands=self.scenario.demands[inside]))

    def choice(self, label: str, chosen: np.ndarray, **proof: Any) -> Choice:
        """What `chosen` (n,) bool holds."""
        hectares = Fraction(int(self.hectares[chosen].sum()), self.scale)
        return Choice(label, chosen, int(self.cents[chosen].sum()), hectares, **proof)

    def best(self, label: str, criterion: Criterion, seconds: float = SECONDS) -> Choice:
        """The most hectares with the money of the funded ones, by one certified plan."""
        plan = allocator.solve(self.scenario.with_(constraints=criterion(self)), gap=GAP, time_limit=seconds)
        if plan.status not in ("optimal", "feasible"):
            raise RuntimeError(f"{label} : {plan.status}")
        chosen = self.table["id"].isin(set(plan.grants["demand"])).to_numpy()
        return self.choice(label, chosen, bound=plan.certificate.bound, certified=plan.certificate.ok)

    def best_by_region(self, label: str, criterion: Criterion) -> Choice:
        """Each region for itself: one certified plan a region."""
        chosen, bound, certified = np.zeros(len(self.table), bool), Fraction(0), True
        for inside, region in self.regions():
            if not region.funded.any():  # nothing to spend there
                continue
            one = region.best(label, criterion)
            chosen[np.flatnonzero(inside)[one.chosen]] = True
            bound, certified = bound + (one.bound or 0), certified and one.certified
        return self.choice(label, chosen, bound=bound, certified=certified)

    def groups(self, column: str) -> Iterator[tuple[list[str], np.ndarray]]:
        """(values of the column, funded members (n,) bool) of each group with funded ones; of several kinds, the first."""
        values = self.table[column].fillna("").astype(str)
        names = values.str.split(" ; ").str[0]
        for name in sorted(set(names[self.funded])):
            inside = (names == name).to_numpy()
            yield sorted(set(values[inside])), inside & self.funded


# Criteria ---------------------------------------------------------------------------------------------


def none(_: Applications) -> Rules:
    return []


def calls(here: Applications) -> Rules:
    """No call (appel à projets) spends more than its funded applications took."""
    spent = {values[0]: int(here.cents[funded].sum()) for values, funded in here.groups("demarche")}
    return [{"kind": "ceiling", "id": f"appel-{name}", "on": {"where": {"demarche": name}}, "amount": euros(spent.get(name, 0))}
            for name in sorted(set(here.table["demarche"]))]  # fmt: skip


def as_many(here: Applications) -> Rules:
    """At least as many projects as were funded."""
    return [{"kind": "count", "id": "nombre", "of": "demands", "min": int(here.funded.sum())}]


def keeping(column: str) -> Criterion:
    """Each group of a column takes at least 95 % of what its funded applications took."""

    def rules(here: Applications) -> Rules:
        return [{"kind": "floor", "id": f"{column}-{rank}", "on": {"where": {column: values}},
                 "amount": euros(int(int(here.cents[funded].sum()) * KEPT))}
                for rank, (values, funded) in enumerate(here.groups(column))]  # fmt: skip

    return rules


CRITERIA: dict[str, Criterion] = {
    "chaque appel à projets garde son total": calls,
    "au moins autant d'opérations": as_many,
    "chaque nature de friche": keeping("nature"),
    "chaque zone de tension (A-Abis à C)": keeping("zone"),
    "chaque type de porteur": keeping("beneficiary_kind"),
}


def together(here: Applications) -> Rules:
    return [rule for criterion in CRITERIA.values() for rule in criterion(here)]


def read(path: str) -> Applications:
    """Cerema's file, through its importer, as a scenario."""
    with tempfile.TemporaryDirectory() as folder:
        made = fonds_friches.run([path], argparse.Namespace(fund=None, max_hectares=Fraction(500)))
        write(made.files(fonds_friches.FORMAT), folder)
        return Applications(allocator.load(folder))


def backtest(everything: Applications, told: Callable[[str], None] = lambda label: None) -> list[Choice]:
    """The lines of the table: what was funded, hectares alone (France, then by region), each criterion, all of them."""
    lines = [everything.choice("Retenues (constaté)", everything.funded)]
    told("hectares seuls, toute la France")
    lines.append(everything.best("Hectares seuls, toute la France", none, 30 * SECONDS))
    for label, criterion in (
        ("Hectares seuls, région par région", none),
        *CRITERIA.items(),
        ("tous ces critères ensemble", together),
    ):
        told(label)
        lines.append(everything.best_by_region(label if criterion is none else f"  + {label}", criterion))
    return lines


# Told -------------------------------------------------------------------------------------------------


def euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def shown(value: Fraction | int, places: int = 0) -> str:
    """1 234,50: as many decimals as asked."""
    whole, part = divmod(abs(round(value * 10**places)), 10**places)
    return ("-" if value < 0 else "") + grouped(whole).fr + (f",{part:0{places}d}" if places else "")


def table(everything: Applications, lines: list[Choice]) -> Table:
    """The lines as a person reads them."""
    out = Table(title="Fonds friches, 2021-2023 : à déficits couverts égaux")
    out.add_column("choix")
    for header in ("opérations", "déficits (M€)", "hectares", "au plus", "dont retenues", "coûte (ha)"):
        out.add_column(header, justify="right")
    for rank, line in enumerate(lines):
        before = None if rank < 2 else lines[1] if rank == 2 else lines[2]
        bound = "" if line.bound is None else shown(line.bound, 2) + ("" if line.certified else " (non certifié)")
        out.add_row(line.label, shown(int(line.chosen.sum())), shown(Fraction(line.cents, 10**8), 2), shown(line.hectares, 2),
                    bound, shown(int((line.chosen & everything.funded).sum())),
                    "" if before is None else shown(before.hectares - line.hectares, 2))  # fmt: skip
    return out


def notes(everything: Applications, lines: list[Choice]) -> list[str]:
    """What the table does not say by itself."""
    funded, region, every = lines[0], lines[2], lines[-1]
    nowhere = (everything.table["territory"] == fonds_friches.NO_REGION).to_numpy()
    lost = everything.choice("", region.chosen & nowhere).hectares
    return [
        "Déficits : ceux des opérations choisies. Ce ne sont pas des subventions : le fichier n'en contient aucune.",
        "Au plus : aucun choix de cette sorte n'a plus d'hectares (borne recalculée par le certificat). Coûte : hectares de moins "
        "que la ligne dont celle-ci part.",
        f"Région par région : l'enveloppe de chacune est le déficit de ses opérations retenues. {shown(lost, 2)} ha viennent "
        f"d'opérations qui ne nomment pas leur région ; sans elles, {shown(region.hectares - lost, 2)} ha.",
        f"Critères, dans chaque région : appels, ce que leurs opérations retenues ont pris ; nature, zone, porteur : au moins "
        f"{shown(KEPT * 100)} % de ce qu'elles ont pris (une opération de plusieurs natures compte dans la première).",
        "Coûte se lit à l'écart près entre hectares et au plus, des deux lignes.",
        f"Tous ensemble laissent {shown(every.hectares, 2)} ha, contre {shown(funded.hectares, 2)} retenus. L'écart, "
        f"{shown(every.hectares - funded.hectares, 2)} ha, ces critères ne l'expliquent pas : ils ne sont pas tous ceux de l'État, "
        "et le fichier ne dit pas tout (qualité, maturité, emplois, logements …). Ce n'est pas une faute.",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Le fonds friches, rétrospectivement.")
    parser.add_argument("path", metavar="fr_g_fdfriche_r.csv")
    options = parser.parse_args()
    try:
        everything = read(options.path)
        lines = backtest(everything, lambda label: print(f"… {label}", file=sys.stderr))
    except allocator.ScenarioError as error:
        print(error.text("fr"), file=sys.stderr)
        return 2
    console = Console() if sys.stdout.isatty() else Console(width=140)
    console.print(table(everything, lines))
    for note in notes(everything, lines):
        console.print(f"• {note}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
