<?php
echo '<h1>Harbour news</h1>';
