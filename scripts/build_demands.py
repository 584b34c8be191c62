"""Build allocator/data/demands/*.csv, the demands that the built-in scenarios share, from the list of EPCI.

    python scripts/build_demands.py [--check]

toutes.csv    every demand below
urgences.csv  those rows of it that an emergency plan looks at: rebond, projet-ti, conversion, friche and
              etude-friche of the EPCI that are candidates for a Rebond (same ids, same figures)

leviers.csv   one region (Hauts-de-France) for the mechanisms that the national scenarios do not need: its rows
              of friche, site-cle-en-main, projet-ti, diagnostic and suite-diagnostic; a study for each EPCI
              that asks for brownfields; leases of land (bail, proposition 7). plui (proposition 3): true for
              urban communities and conurbations; statut (proposition 21): the k-th project is « en cours »
              for k = 1, 4, 7 …, the note's 36 % under way, near enough. Both are HYPOTHESES: no list was used.
hectares.csv  what each EPCI can offer of the 22 000 ha of land that industry needs by 2030, see LAND

Who asks for what is a HYPOTHESIS: no public list says it. The rule below uses real data only
(population, kind, department, region of each EPCI), is the same for everybody, and is all there is;
change a figure here, run the script again, and the scenarios follow. What comes from the note (« Lever
les freins à la réindustrialisation », by proposition) or from a public page says so; everything else is
a hypothesis.

p is the population of the EPCI and s = log10(p / 10 000) its size, from about -0.4 (4 000 people) to 2.9
(7 million). Jobs per unit grow with s (a larger pool of labour and suppliers): this sets the jobs
objective against the rules that protect small places, so that each rule has a price. Outside métropoles:
kinds CC, CA and CU. Most populous: ties go to the lowest id. A department stands for its most populous
EPCI: that is how a department named by the note becomes demands.

projet-industriel  Aid to industrial projects, in M€ of aid. 24 Md€ asked over three years (1.6 × the 15
                   Md€ left). 52 % of it from Île-de-France: the note's share of what France 2030 has
                   paid so far, as if the queue looked like the past; within each part, in proportion to
                   p. Two demands per EPCI: mature projects (60 % of the money) and projects to
                   consolidate (40 %, with 80 % of the jobs).
projet-partage     One project with several funders (proposition 9) in the most populous EPCI of each
                   department. Its jobs are pledged by the firm: indicator emplois_promis.
conversion         Proposition 25. volet = a-convertir: the EPCI that are candidates for a Rebond in the
                   seven departments that the note names; volet = armement: the most populous EPCI of
                   every other mainland department. No public list of either was used.
friche             4 000 ha asked, twice what 1 Md€ pays at 500 k€ a hectare, in proportion to p; every
                   EPCI asks.
etude-friche       One study (soil, archaeology) for each EPCI that asks for two hectares or more.
site-cle-en-main   A call each year: the k-th most populous EPCI outside métropoles of each department
                   asks for one site in the k-th year. 40 % of its 60 ha are new land (indicator
                   hectares_zan), usage industrie.
zibac              Low-carbon industrial zones: the most populous EPCI of each region.
projet-ti          Projects of small firms in EPCI outside métropoles of at least 10 000 people: one, and
                   one more for each full 30 000 people. About three times what the fund of 100 M€ a year
                   holds.
rebond             The two most populous EPCI of the seven departments that the note names; the most
                   populous one outside métropoles of every other mainland department. urgence = 3 in
                   Sarthe, Isère and Vosges (threatened sites), 2 in the four other named departments,
                   1 elsewhere. Béthune, Cambrai and Lorient had theirs: they ask with rebond_obtenu =
                   true, beside their department's candidate, and a rule of the scenario keeps them out
                   unless it is lifted.
ecole-production   The most populous CC and the most populous CA of each department: small towns and the
                   country come first in the note, CC stands for them.
academie           The two most populous EPCI of each region.
petite-action      Propositions 14 to 16, running costs (petite-action-fonctionnement) apart from
                   investment (petite-action-investissement): the two most populous EPCI outside
                   métropoles of each department ask for one of each.
diagnostic         Proposition 19: the EPCI outside métropoles of 50 000 people or more ask for one, in the
suite-diagnostic   first year, and for what follows it from the second year on.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parent.parent / "allocator" / "data"
TERRITORIES = DATA / "territories" / "epci.csv"
TARGET = DATA / "demands"
YEARS = (2026, 2027, 2028)
ILE_DE_FRANCE = "11"

INDUSTRY_EUROS = 24_000_000_000  # hypothesis
INDUSTRY_ILE_DE_FRANCE = 0.52  # note 23, read as a share of the euros (its other reading: of the laureates)
INDUSTRY_PARTS = ((1, 0.6, 1.0), (2, 0.4, 0.8))  # hypothesis: (part, share of the money, share of the jobs)
FRICHE_HECTARES = 4_000  # hypothesis: twice the note's 2 000 ha
STUDY_HECTARES = 2  # hypothesis
TI_LEAST_PEOPLE, TI_PEOPLE_PER_PROJECT = 10_000, 30_000  # hypothesis
DIAGNOSTIC_LEAST_PEOPLE = 50_000  # hypothesis
# note 24: Sarthe, Isère, Vosges (threatened sites first); Calvados, Haute-Savoie, Gard, Somme
REBOND_THREATENED, REBOND_NAMED = ("72", "38", "88"), ("14", "74", "30", "80")
REBOND_DEPARTEMENTS = (*REBOND_THREATENED, *REBOND_NAMED)
URGENT = ("rebond", "projet-ti", "conversion", "friche", "etude-friche")
REBOND_DONE = {  # note 24: they had theirs
    "200072460": "CA de Béthune-Bruay, Artois-Lys Romane",
    "200068500": "CA de Cambrai",
    "200042174": "CA Lorient Agglomération",
}

FIRM, EPCI, ASSOCIATION = "entreprise", "epci", "association"


@dataclass(frozen=True)
class Offer:
    """What one unit of a measure asks, costs and brings. Euros; indicators are (constant, slope per s)."""

    asked: int
    cost: int
    beneficiary_kind: str
    brings: dict[str, tuple[float, float]]  # hypothesis, but for hectares


OFFERS = {
    # cost: hypothesis (aid of a third)
    "projet-industriel": Offer(1_000_000, 3_000_000, FIRM, {"emplois": (10, 1.5)}),
    # note 6: 1 Md€ for 2 000 ha; 780 k€ a hectare
    "friche": Offer(500_000, 780_000, EPCI, {"emplois": (10, 2), "hectares": (1, 0)}),
    # hypothesis (no amount in the note): aid of a quarter of the cost, to be shared between funders
    "projet-partage": Offer(4_000_000, 16_000_000, FIRM, {"emplois": (35, 6), "emplois_promis": (50, 10)}),
    "conversion": Offer(3_000_000, 12_000_000, FIRM, {"emplois": (28, 5)}),
    # hypothesis (no amount in the note); 80 % of the cost
    "etude-friche": Offer(50_000, 62_500, EPCI, {"etudes": (1, 0)}),
    # hypothesis (no amount in the note), near the page's 450 M€ and 3 342 ha for 55 sites: 8.2 M€, 61 ha
    "site-cle-en-main": Offer(
        # hectares_zan: 60 % of the 55 sites are recycled land (banquedesterritoires.fr): 24 of 60 ha are new
        8_000_000,
        10_000_000,
        EPCI,
        {"emplois": (65, 20), "hectares_amenages": (60, 0), "hectares_zan": (24, 0)},
    ),
    # hypothesis (no amount in the note); 60 % of the cost, 20 % from each of three funders
    "zibac": Offer(6_000_000, 10_000_000, ASSOCIATION, {"emplois": (30, 8)}),
    # hypothesis (no amount in the note); 20 % of the cost, the EU limit for small firms
    "projet-ti": Offer(500_000, 2_500_000, FIRM, {"emplois": (8, 2)}),
    # note 24: 2 M€; cost: hypothesis
    "rebond": Offer(2_000_000, 8_000_000, FIRM, {"emplois": (60, 10), "urgence": (0, 0)}),
    # note 12: 10 M€ for twenty; cost: hypothesis, so that aid is the page's 50 %
    "ecole-production": Offer(500_000, 1_000_000, ASSOCIATION, {"emplois": (6, 1), "formes": (50, 10)}),
    # hypothesis (no amount in the note)
    "academie": Offer(3_000_000, 6_000_000, ASSOCIATION, {"emplois": (20, 4), "formes": (200, 20)}),
    # hypothesis (no amount in the note); 80 % of the cost
    "petite-action-fonctionnement": Offer(80_000, 100_000, EPCI, {"emplois": (1.2, 0.3)}),
    "petite-action-investissement": Offer(200_000, 250_000, EPCI, {"emplois": (3, 0.9)}),
    "diagnostic": Offer(40_000, 50_000, EPCI, {"etudes": (1, 0)}),
    "suite-diagnostic": Offer(160_000, 200_000, EPCI, {"emplois": (2.4, 0.7)}),
    # hypothesis (no amount in the note): land bought to be leased, in full
    "bail": Offer(1_000_000, 1_000_000, EPCI, {"emplois": (12, 3)}),
}
INDICATORS = (
    "emplois", "emplois_promis", "hectares", "hectares_amenages", "hectares_zan",
    "formes", "etudes", "urgence",
)  # fmt: skip


def territories() -> pd.DataFrame:
    """The EPCI, codes as text, the most populous first (ties: lowest id)."""
    table = pd.read_csv(TERRITORIES, dtype=str, keep_default_na=False)
    table["population"] = table["population"].astype(int)
    table["metropole"] = table["metropole"] == "true"
    return table.sort_values(["population", "id"], ascending=[False, True], ignore_index=True)


def offers(
    epci: pd.DataFrame,
    measure: str,
    units: pd.Series | np.ndarray | int,
    *,
    suffix: str = "",
    jobs: float = 1.0,
    years: tuple[int, int] = (YEARS[0], YEARS[-1]),
) -> pd.DataFrame:
    """One demand of `measure` for each row of `epci`; `jobs` scales its jobs."""
    what = OFFERS[measure]
    size = np.log10(epci["population"].to_numpy() / 10_000)
    table = pd.DataFrame({"id": measure + "-" + epci["id"] + suffix, "territory": epci["id"]})
    table = table.assign(
        measure=measure,
        units=units,
        asked=what.asked,
        cost=what.cost,
        beneficiary_kind=what.beneficiary_kind,
        first_year=years[0],
        last_year=years[1],
        usage="industrie" if "hectares_zan" in what.brings else "",
        volet="",
        rebond_obtenu="false",
    )
    for indicator in INDICATORS:
        constant, slope = what.brings.get(indicator, (0, 0))
        scale = jobs if indicator == "emplois" else 1.0
        table[indicator] = ((constant + slope * size) * scale).round(2)
    return table


def top(epci: pd.DataFrame, by: str, count: int) -> pd.DataFrame:
    """The `count` most populous rows of each value of `by`."""
    return epci[epci.groupby(by).cumcount() < count]


def rebonds(epci: pd.DataFrame) -> pd.DataFrame:
    """Candidates for a Rebond, with how urgent they are; those that had theirs are marked."""
    unknown = set(REBOND_DONE) - set(epci["id"])
    if unknown:
        sys.exit(f"EPCI inconnus dans REBOND_DONE : {sorted(unknown)}")
    had = epci["id"].isin(REBOND_DONE)
    named = epci["departement"].isin(REBOND_DEPARTEMENTS)
    elsewhere = ~named & ~epci["metropole"] & ~epci["departement"].str.startswith("97")
    chosen = pd.concat(
        [top(epci[named & ~had], "departement", 2), top(epci[elsewhere & ~had], "departement", 1), epci[had]]
    )
    where = chosen["departement"]
    urgence = np.select([where.isin(REBOND_THREATENED), where.isin(REBOND_NAMED)], [3.0, 2.0], 1.0)
    table = offers(chosen, "rebond", 1)
    return table.assign(
        urgence=urgence,
        rebond_obtenu=np.where(table["territory"].isin(REBOND_DONE), "true", "false"),
    )


def build() -> pd.DataFrame:
    """Every demand, by id."""
    epci = territories()
    people = epci["population"]
    outside = epci[~epci["metropole"]]
    inside = epci["region"] == ILE_DE_FRANCE
    parts = []

    euros = np.where(
        inside,
        INDUSTRY_EUROS * INDUSTRY_ILE_DE_FRANCE * people / people[inside].sum(),
        INDUSTRY_EUROS * (1 - INDUSTRY_ILE_DE_FRANCE) * people / people[~inside].sum(),
    )
    for part, money, jobs in INDUSTRY_PARTS:
        units = (euros * money / OFFERS["projet-industriel"].asked).round(2)
        parts.append(offers(epci, "projet-industriel", units, suffix=f"-{part}", jobs=jobs))
    parts.append(offers(top(epci, "departement", 1), "projet-partage", 1))

    hectares = (FRICHE_HECTARES * people / people.sum()).round(2)
    parts.append(offers(epci, "friche", hectares))
    parts.append(offers(epci[hectares >= STUDY_HECTARES], "etude-friche", 1))

    rank = outside.groupby("departement").cumcount()
    for k, year in enumerate(YEARS):
        parts.append(offers(outside[rank == k], "site-cle-en-main", 1, suffix=f"-{year}", years=(year, year)))
    parts.append(offers(top(epci, "region", 1), "zibac", 1))

    asking = outside[outside["population"] >= TI_LEAST_PEOPLE]
    parts.append(offers(asking, "projet-ti", 1 + asking["population"] // TI_PEOPLE_PER_PROJECT))

    candidates = rebonds(epci)
    parts.append(candidates)
    crisis = epci["departement"].isin(REBOND_DEPARTEMENTS)
    converting = epci[crisis & epci["id"].isin(candidates["territory"])]
    parts.append(offers(converting, "conversion", 1).assign(volet="a-convertir"))
    others = epci[~crisis & ~epci["departement"].str.startswith("97")]
    parts.append(offers(top(others, "departement", 1), "conversion", 1).assign(volet="armement"))

    for kind in ("CC", "CA"):
        parts.append(offers(top(epci[epci["kind"] == kind], "departement", 1), "ecole-production", 1))
    parts.append(offers(top(epci, "region", 2), "academie", 1))

    for kind in ("fonctionnement", "investissement"):
        parts.append(offers(top(outside, "departement", 2), f"petite-action-{kind}", 1))
    large = outside[outside["population"] >= DIAGNOSTIC_LEAST_PEOPLE]
    parts.append(offers(large, "diagnostic", 1, years=(YEARS[0], YEARS[0])))
    parts.append(offers(large, "suite-diagnostic", 1, years=(YEARS[1], YEARS[-1])))
    return pd.concat(parts).sort_values("id", ignore_index=True)


def urgent(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that an emergency plan looks at."""
    candidates = table.loc[table["measure"] == "rebond", "territory"]
    return table[table["measure"].isin(URGENT) & table["territory"].isin(candidates)]


LEVERS_REGION = "32"
LEVERS = ("friche", "site-cle-en-main", "projet-ti", "diagnostic", "suite-diagnostic")
LEASE_LEAST_PEOPLE = 30_000  # hypothesis


def levers(table: pd.DataFrame) -> pd.DataFrame:
    """One region's demands, with what the other mechanisms need."""
    epci = territories()
    epci = epci[epci["region"] == LEVERS_REGION]
    mine = table[table["measure"].isin(LEVERS) & table["territory"].isin(epci["id"])]
    asking = epci[epci["id"].isin(mine.loc[mine["measure"] == "friche", "territory"])]
    studies = offers(asking, "etude-friche", 1)
    leases = offers(epci[epci["population"] >= LEASE_LEAST_PEOPLE], "bail", 1)
    whole = pd.concat([mine, studies, leases]).sort_values("id", ignore_index=True)
    kinds = epci.set_index("id")["kind"]
    plan = whole["territory"].map(kinds).isin(("CU", "CA", "METRO"))
    rank = whole.groupby("measure").cumcount()
    under_way = (whole["measure"] == "projet-ti") & (rank % 3 == 0)
    return whole.assign(plui=np.where(plan, "true", "false"), statut=np.where(under_way, "en cours", "demandé"))


# What a hectare asks for and how much of it there is. Land needed by 2030: 22 000 ha, of which 10 000 brownfields,
# 3 500 densified and 8 500 new (banquedesterritoires.fr). Supply and the price of densified land: hypotheses.
LAND = {  # measure: (suffix, euros a hectare, hectares on offer in all)
    # works without land, unpolluted: 375 k€ (Cerema, cartofriches, fonds_friches.md)
    "friche-saine": ("friche", 375_000, 6_000),
    "friche-polluee": ("friche", 780_000, 20_000),  # note 6
    "densification": ("densification", 200_000, 6_000),  # hypothesis
    # 450 M€ for 3 342 ha of ready-to-use sites (etyo.com), rounded to the thousand
    "terrain-neuf": ("neuf", 135_000, 20_000),
}


def hectares() -> pd.DataFrame:
    """Land on offer in each EPCI, in proportion to its people outside Île-de-France."""
    epci = territories()
    epci = epci[epci["region"] != ILE_DE_FRANCE]
    people = epci["population"]
    parts = []
    for measure, (use, euros, total) in LAND.items():
        units = (total * people / people.sum()).round(2)
        table = pd.DataFrame({"id": measure + "-" + epci["id"], "territory": epci["id"], "measure": measure})
        table = table.assign(units=[f"{u:.2f}".rstrip("0").rstrip(".") for u in units], asked=euros)
        for name in ("friche", "densification", "neuf"):
            table[f"hectares_{name}"] = int(name == use)
        parts.append(table.assign(hectares=1)[units.to_numpy() > 0])
    return pd.concat(parts).sort_values("id", ignore_index=True)


def files() -> dict[str, bytes]:
    """The files by name, to the byte."""
    table = build()
    for column in ("units", *INDICATORS):
        table[column] = [f"{value:.2f}".rstrip("0").rstrip(".") for value in table[column]]
    of_levers = levers(build())
    for column in ("units", *INDICATORS):
        of_levers[column] = [f"{value:.2f}".rstrip("0").rstrip(".") for value in of_levers[column]]
    tables = {"toutes.csv": table, "urgences.csv": urgent(table), "leviers.csv": of_levers, "hectares.csv": hectares()}
    return {name: t.to_csv(index=False, lineterminator="\n").encode() for name, t in tables.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file would change")
    check = parser.parse_args().check
    for name, content in files().items():
        path = TARGET / name
        if check:
            if not path.exists() or path.read_bytes() != content:
                sys.exit(f"{path} diffère de ce que le script écrirait")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    table = build().assign(euros=lambda t: t["asked"] * t["units"])
    print(table.groupby("measure").agg({"id": "size", "units": "sum", "euros": "sum"}))


if __name__ == "__main__":
    main()
