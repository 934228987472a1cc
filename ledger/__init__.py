"""What is recorded, and by which rules. Knows neither Flask nor any read model."""
