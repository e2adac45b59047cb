"""Live views: they read records of ops when they are asked, outside publication, and are right at every moment."""
