// Prints how every pod network and every mesh get along, as the Markdown table of docs/mesh.md.
import { compatibilityTable } from "../components/mesh/compatibility-table.ts";

console.log(compatibilityTable());
