"""Scenarios, plans and decisions, saved once and never changed: SQLite, or PostgreSQL by its URL.

from allocator.store import Store

store = Store()                                  # or Store("postgresql://…"), Store("plans.sqlite")
saved = store.save(plan, who="the office", words="first draft")
store.decide(saved, who="the council", words="adopted")
store.replay(saved).same
"""

from allocator.store.errors import StoreError
from allocator.store.places import default_place
from allocator.store.records import Decision, SavedPlan
from allocator.store.replay import Replay
from allocator.store.store import Store

__all__ = ["Decision", "Replay", "SavedPlan", "Store", "StoreError", "default_place"]
