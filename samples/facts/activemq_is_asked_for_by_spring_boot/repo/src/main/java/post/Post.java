package post;

public class Post {}
