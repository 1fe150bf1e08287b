<?php header("Location: site/htdocs/");
