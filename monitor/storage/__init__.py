"""What is kept: tables, engine, migrations and the statements that read and write them."""
