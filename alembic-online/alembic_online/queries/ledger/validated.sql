UPDATE {bookkeeping}.step SET validated = %(validated)s, message = %(message)s WHERE step_id = %(step_id)s;
