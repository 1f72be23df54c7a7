"""One file per family of motions; each motion is a function of time that draws its chances before it looks at the time."""
