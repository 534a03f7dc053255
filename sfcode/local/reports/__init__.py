"""Reports: their definitions, the columns of report types, and running them over the records that a user sees."""
