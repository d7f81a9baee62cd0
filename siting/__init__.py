"""Who is inside the circle, who has enough, and what to build where: community services on the street network."""
