"""What users tell us: category, link to an incident, and the conversation that follows."""
