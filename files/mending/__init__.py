"""From the file as read to the file as sent, by an operator's recipe: `mend.mend`."""
