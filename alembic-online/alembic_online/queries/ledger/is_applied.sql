-- Asked once its row could be locked: whatever was committing it has ended.
SELECT EXISTS (SELECT FROM {bookkeeping}.step WHERE step_id = %(step_id)s AND outcome = 'applied');
