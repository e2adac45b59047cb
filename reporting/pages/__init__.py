"""The report: one page of HTML with the platform, a creator, and the last night."""
