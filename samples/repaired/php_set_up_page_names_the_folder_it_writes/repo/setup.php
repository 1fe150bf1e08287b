<?php
require 'lib/pages.php';
if (!is_writable('content') || !is_file('content/welcome.html')) {
    page('One thing is missing', '<p>Everything that is written goes into the folder <code>content/</code>,'
        . ' and that is <strong>not writable</strong>.</p>');
    exit;
}
if (isset($_POST['ship'])) {
    file_put_contents('content/ship.txt', $_POST['ship']);
    header('Location: index.php');
    exit;
}
page('Choose a name', '<form method="post"><input name="ship"><button>Cast off</button></form>');
