<?php

namespace App\Controller;

use Symfony\Bundle\FrameworkBundle\Controller\AbstractController;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\Routing\Attribute\Route;

class TideController extends AbstractController
{
    #[Route('/', name: 'tides')]
    public function index(): Response
    {
        return $this->render('tides.html.twig');
    }
}
