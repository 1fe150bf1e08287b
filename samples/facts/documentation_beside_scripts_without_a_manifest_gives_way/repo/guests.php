<?php echo "Guests";
