import { program } from "./stacks/program.ts";

export default await program();
