"""Publishing: gradebook, feedback, class report, similarity, grading by hand."""
