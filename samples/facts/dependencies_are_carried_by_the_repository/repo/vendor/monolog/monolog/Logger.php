<?php
namespace Monolog;
class Logger {}
