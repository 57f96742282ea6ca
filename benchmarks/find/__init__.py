"""What `benchmarks.find_regret` is made of: tasks, the truth about their rates, the peers' finders, the table."""
