/** What selu multiplies by: Klambauer et al. 2017, "Self-normalizing neural networks", equation 14. */
export const seluAlpha = 1.6732632423543772
export const seluScale = 1.0507009873554805
