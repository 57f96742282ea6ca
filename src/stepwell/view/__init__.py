"""Pictures, tables and reports of plain records. No torch."""
