"""Who may do what through a `Store`: read, edit (save plans and scenarios), decide. Each may what those before it may."""

from __future__ import annotations

from typing import Any, Literal, get_args

from allocator.store.errors import refused
from allocator.texts import Text

Role = Literal["read", "edit", "decide"]
ROLES: tuple[Role, ...] = get_args(Role)

_WRONG = {
    "edit": Text("vous pouvez lire, non enregistrer", "you may read, not save"),
    "decide": Text("vous n'avez pas le droit de décider", "you may not decide"),
}
_REMEDY = Text("Demandez ce droit à qui tient cet enregistrement.", "Ask whoever runs this store for this right.")


def known_role(given: Any) -> Role:
    """`StoreError` for what is no role."""
    if given not in ROLES:
        wrong = Text(f"rôle inconnu « {given} »", f"unknown role “{given}”")
        raise refused("role", wrong, Text(f"{', '.join(ROLES)}.", f"{', '.join(ROLES)}."))
    return given


def require(place: str, held: Role, needed: Role) -> None:
    """`StoreError` where who holds one role does what takes another."""
    if ROLES.index(held) < ROLES.index(needed):
        raise refused(place, _WRONG[needed], _REMEDY)
