/** Between the two names in the title of a group; the matrix is read from titles. */
export const CROSS = ' × '
