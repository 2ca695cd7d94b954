"""Guards, whatever they guard against: what is asked, where it stands, and what is done or given for nothing."""
