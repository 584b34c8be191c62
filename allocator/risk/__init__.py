"""What is uncertain about a scenario, what a plan risks by it, and plans that hold up."""
