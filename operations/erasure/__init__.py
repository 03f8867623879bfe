"""`sidb erase`: a user's rows go everywhere, do not come back, and a certificate says what was found where."""
