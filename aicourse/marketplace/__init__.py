"""The product that the course carries from lesson to lesson: a second-hand marketplace."""
