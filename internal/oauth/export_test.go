package oauth

// What the tests from outside need of the tests inside.
var (
	CheckHAR      = checkHAR
	CheckMarkdown = checkMarkdown
	Parts         = parts
)
