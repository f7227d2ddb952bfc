"""What is looked at before a training starts: from facts to findings."""
