"""What a call costs with each database, and across two nodes: one part of the benchmark."""
