"""What sheets, columns and choices are called in a workbook, in French and English.

Only names: what exists comes from the schemas. A field without a word here is called by its key, so that a new one
appears by itself. Every name is read in both languages, and as the contract's own key.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

from allocator.texts import Text

README = Text("Lisez-moi", "Read me")
LISTS = Text("Listes", "Lists")
LONG = Text("Textes longs", "Long texts")
SHEETS = {
    "scenario": Text("Scénario", "Scenario"),
    "funds": Text("Fonds", "Funds"),
    "measures": Text("Mesures", "Measures"),
    "territories": Text("Territoires", "Territories"),
    "demands": Text("Dossiers", "Demands"),
    "constraints": Text("Règles", "Constraints"),
    "prior_aid": Text("Aides antérieures", "Prior aid"),
}

FIELDS = {
    "id": Text("Identifiant", "Id"),
    "label": Text("Libellé", "Label"),
    "label.fr": Text("Libellé en français", "Label in French"),
    "label.en": Text("Libellé en anglais", "Label in English"),
    "description": Text("Description", "Description"),
    "description.fr": Text("Description en français", "Description in French"),
    "description.en": Text("Description en anglais", "Description in English"),
    "labels": Text("Noms des indicateurs", "Names of indicators"),
    "base": Text("Rapporté à", "Relative to"),
    "years": Text("Années", "Years"),
    "objective.maximise": Text("Objectif : maximiser", "Objective: maximise"),
    "objective.lexicographic": Text("Objectif : dans l'ordre", "Objective: in order"),
    "objective.maximin": Text("Objectif : le moins bien servi d'abord", "Objective: worst served first"),
    "objective.minimise": Text("Objectif : minimiser", "Objective: minimise"),
    "source": Text("Source", "Source"),
    "as_of": Text("À la date de", "As of"),
    "hypothesis": Text("Hypothèse", "Hypothesis"),
    "amount": Text("Montant", "Amount"),
    "amounts": Text("Montants par année", "Amounts by year"),
    "carry_over": Text("Report de crédits", "Carry-over"),
    "payments": Text("Crédits de paiement par année", "Payment limits by year"),
    "parent": Text("Dans le fonds", "Inside fund"),
    "reserve": Text("Réserve de précaution", "Reserve"),
    "income": Text("Recettes par année", "Income by year"),
    "returns": Text("Retours par année écoulée", "Returns by years after"),
    "reference_rate": Text("Taux de référence", "Reference rate"),
    "transfers": Text("Redéploiements permis vers", "Transfers allowed to"),
    "notified": Text("Enveloppes annoncées par région", "Announced to regions"),
    "notified_until": Text("Annoncées jusqu'en", "Announced until"),
    "annual": Text("Chaque année", "Every year"),
    "max_rate": Text("Taux maximal", "Maximum rate"),
    "unit": Text("Unité", "Unit"),
    "propositions": Text("Propositions", "Propositions"),
    "lumpy": Text("Unités entières", "Whole units"),
    "payment_profile": Text("Échéancier de paiement", "Payment profile"),
    "steps": Text("Paliers", "Steps"),
    "on": Text("Sélection", "Selection"),
    "on.funds": Text("Fonds choisis", "Chosen funds"),
    "on.measures": Text("Mesures choisies", "Chosen measures"),
    "on.territories": Text("Territoires choisis", "Chosen territories"),
    "on.years": Text("Années choisies", "Chosen years"),
    "on.demands": Text("Dossiers choisis", "Chosen demands"),
    "on.where": Text("Où", "Where"),
    "kind": Text("Règle", "Kind"),
    "soft": Text("Points perdus par unité de non-respect", "Points lost per unit of breach"),
    "enabled": Text("Active", "Enabled"),
    "per_inhabitant": Text("Par habitant", "Per inhabitant"),
    "per": Text("Pour chaque", "For each"),
    "of": Text("De", "Of"),
    "min": Text("Minimum", "Minimum"),
    "max": Text("Maximum", "Maximum"),
    "indicator": Text("Indicateur", "Indicator"),
    "weights": Text("Pondérations", "Weights"),
    "until": Text("Jusqu'en", "Until"),
    "max_public_rate": Text("Part publique maximale", "Maximum public share"),
    "decision": Text("Décision", "Decision"),
    "comment": Text("Commentaire", "Comment"),
    "units": Text("Unités", "Units"),
    "max_funds": Text("Nombre maximal de fonds", "Most funds"),
    "incompatible": Text("Fonds incompatibles", "Incompatible funds"),
    "when": Text("Quand", "When"),
    "then": Text("Alors", "Then"),
    "within": Text("Au sein de", "Within"),
    "at_most": Text("Au plus", "At most"),
    "max_ratio": Text("Rapport maximal", "Maximum ratio"),
    "max_gap": Text("Écart maximal", "Maximum gap"),
    "window": Text("Fenêtre", "Window"),
    "reference": Text("Référence", "Reference"),
    "lag": Text("Délai", "Lag"),
    "authorities": Text("Collectivités", "Authorities"),
    "overseas": Text("Outre-mer", "Overseas"),
    "max_change": Text("Variation maximale", "Maximum change"),
    "overruns": Text("Dépassements possibles", "Possible overruns"),
    "at_once": Text("Dépassements à la fois", "Overruns at once"),
    "tail": Text("Part des pires cas", "Share of worst cases"),
    "draws": Text("Cas tirés", "Cases drawn"),
    "futures": Text("Avenirs possibles", "Possible futures"),
}
COLUMNS = {
    "territories": {
        "id": FIELDS["id"],
        "name": Text("Nom", "Name"),
        "region": Text("Région", "Region"),
        "departement": Text("Département", "Département"),
        "population": Text("Population", "Population"),
    },
    "demands": {
        "id": FIELDS["id"],
        "territory": Text("Territoire", "Territory"),
        "measure": Text("Mesure", "Measure"),
        "units": Text("Unités demandées", "Units asked"),
        "asked": Text("Demandé par unité", "Asked per unit"),
        "cost": Text("Coût par unité", "Cost per unit"),
        "other_public": Text("Autres aides publiques par unité", "Other public money per unit"),
        "own": Text("Part propre par unité", "Own share per unit"),
        "min_units": Text("Unités au moins", "Least units"),
        "beneficiary": Text("Bénéficiaire", "Beneficiary"),
        "beneficiary_kind": Text("Nature du bénéficiaire", "Kind of beneficiary"),
        "first_year": Text("Première année", "First year"),
        "last_year": Text("Dernière année", "Last year"),
        "project": Text("Projet", "Project"),
    },
    "prior_aid": {
        "beneficiary": Text("Bénéficiaire", "Beneficiary"),
        "date": Text("Date", "Date"),
        "cents": Text("Montant", "Amount"),
    },
}
SCENARIO = {"name": Text("Nom", "Name"), "base": Text("Scénario d'origine", "Made from")}
# One column for each year: "Montant 2026".
OF_A_YEAR = {
    "amounts": Text("Montant", "Amount"),
    "payments": Text("Crédits de paiement", "Payment limit"),
    "income": Text("Recettes", "Income"),
}
CHOICES = {
    "units": Text("unités", "units"),
    "demands": Text("dossiers", "demands"),
    "fund": Text("accorder", "fund"),
    "refuse": Text("refuser", "refuse"),
    "public": Text("financements publics et propres", "public and own money"),
    "cost": Text("coût", "cost"),
}
# What a rule may hold for each of.
PER = {
    "region": Text("région", "region"),
    "departement": Text("département", "departement"),
    "territory": Text("territoire", "territory"),
    "measure": Text("mesure", "measure"),
    "fund": Text("fonds", "fund"),
    "year": Text("année", "year"),
    "beneficiary": Text("bénéficiaire", "beneficiary"),
    "beneficiary_kind": Text("nature du bénéficiaire", "kind of beneficiary"),
    "project": Text("projet", "project"),
    "population": Text("population", "population"),
    "name": Text("nom", "name"),
}
YES, NO = Text("oui", "yes"), Text("non", "no")
TRUTHS = {"oui": True, "vrai": True, "yes": True, "true": True, "x": True,
          "non": False, "faux": False, "no": False, "false": False}  # fmt: skip
EUROS = Text("€", "€")
RATE = Text("0,52 ou 52 %", "0.52 or 52 %")
AS_TEXT = Text("texte", "text")
MULTIPLES = {"k€": "k€", "m€": "M€", "md€": "Md€", "mds€": "Md€", "ke": "k€", "me": "M€"}

_UNIT = re.compile(r"^(?P<name>.*?)\s*\((?P<unit>[^()]*)\)\s*$", re.DOTALL)


def fold(text: str) -> str:
    """A name without case, accents, kinds of spaces, apostrophes and dashes: what two spellings share."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[\s_\-’'‑:*]+", " ", plain).strip()


def parted(header: str) -> tuple[str, str]:
    """A header's name and what stands in brackets after it: `Montant (k€)` → (`Montant`, `k€`)."""
    match = _UNIT.match(header)
    return (match["name"], match["unit"].strip()) if match and match["name"] else (header.strip(), "")


def both(text: Text) -> Iterable[str]:
    """The folded names that a word is read by."""
    return dict.fromkeys((fold(text.fr), fold(text.en)))


def quoted(text: str) -> str:
    """A text that is taken as it stands, whatever it looks like."""
    return json.dumps(text, ensure_ascii=False)
