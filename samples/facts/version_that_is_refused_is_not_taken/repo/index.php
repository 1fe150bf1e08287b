<?php echo "guests";
