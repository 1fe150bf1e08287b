<?php
function title() { return "Register"; }
