"""Reading roles (readers.py): their rights, the policies of marts, and logins of single creators and brands."""
