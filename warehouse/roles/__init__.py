"""Who may read what: the reading roles, their rights, the policies of marts, logins of single creators and brands."""
