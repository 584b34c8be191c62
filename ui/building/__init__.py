"""The parts of *Construire*: each draws the controls of one kind of change and makes it through `ui.building.desk`."""
