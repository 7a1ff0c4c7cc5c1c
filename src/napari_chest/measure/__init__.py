"""What can be told of segments in numbers; pure."""
