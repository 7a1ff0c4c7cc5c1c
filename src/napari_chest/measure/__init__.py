"""What can be told of segments and of readers in numbers; pure."""
