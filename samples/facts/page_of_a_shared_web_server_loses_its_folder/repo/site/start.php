<?php echo "Draw a ticket: ", random_int(1, 100), "\n";
