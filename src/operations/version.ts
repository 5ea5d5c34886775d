/** The version that stands in recipes, summaries and reports; a test holds it against package.json. */
export const version = "0.1.0";
