"""The parts of *La France entière*: each draws one question about a comparison."""
